-- The newest checkpoint of evidence-store's log, kept by services that have nothing else to do with it: whoever restores
-- evidence-store's database to an earlier day would have to restore theirs too. The same in every service's database.
create table outbox.checkpoints (
    origin text primary key,
    size bigint not null check (size > 0),
    root bytea not null,
    note text not null,
    heard_at timestamptz not null
);
comment on table outbox.checkpoints is 'the newest checkpoint that each log has published, as this service heard it';
comment on column outbox.checkpoints.origin is 'the log''s name';
comment on column outbox.checkpoints.size is 'leaves in its tree; a row only ever moves to a larger one';
comment on column outbox.checkpoints.root is 'the tree''s root, 32 bytes';
comment on column outbox.checkpoints.note is 'the C2SP signed note: whoever reads it checks the log''s signature';
comment on column outbox.checkpoints.heard_at is 'this service''s now';
