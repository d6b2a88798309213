-- The transparency log: every seal, tombstone and head of an access log becomes a leaf of one Merkle tree (RFC 6962), and
-- nothing can be taken out of the tree, or put in earlier, without its root showing it. Here is what was sequenced; the
-- tiles under `log.dir` are a copy for readers, and are made again from here.

-- Facts that wait for their place in the log, put here in the transaction that made them facts. Taken out by the
-- sequencer, in this order, in the transaction that gives them their place.
create table evidence.log_queue (
    queue_id     bigint generated always as identity primary key,
    -- RFC 6962 leaf hash. A fact told twice is one leaf.
    leaf_sha256  bytea       not null unique,
    -- The leaf, byte for byte: docs/log.md says what may be in it.
    entry        bytea       not null,
    -- Whom it is about. No foreign key: a tombstone outlives much.
    exhibit_id   uuid        not null,
    queued_at    timestamptz not null default now()
);

-- What has a place in the log.
create table evidence.log_entries (
    -- 0, 1, 2 ... without a gap.
    log_index    bigint primary key check (log_index >= 0),
    leaf_sha256  bytea  not null unique,
    entry        bytea  not null,
    exhibit_id   uuid   not null
);

-- GetExhibit asks where an exhibit's seal is.
create index log_entries_by_exhibit on evidence.log_entries (exhibit_id);

-- Every checkpoint that was ever signed. A checkpoint is here before anybody else sees it: so a genuine one that somebody
-- holds and that isn't here says that this database has gone back in time.
create table evidence.log_checkpoints (
    size         bigint primary key check (size > 0),
    root         bytea       not null,
    -- The roots of the complete subtrees, 32 bytes each, from the largest: all that is needed to append to the tree.
    peaks        bytea       not null,
    -- C2SP signed note, with the log's own signature.
    note         text        not null,
    signed_at    timestamptz not null,
    -- The same with the witness's cosignature; null until it has seen it (or a later one), or where there is no witness.
    cosigned     text,
    cosigned_at  timestamptz,
    constraint cosigned_when check ((cosigned is null) = (cosigned_at is null))
);

create index log_checkpoints_cosigned on evidence.log_checkpoints (size) where cosigned is not null;

-- What is in the log stays in the log. A guard rail against our own mistakes, as in 0003.
create trigger write_once before update or delete on evidence.log_entries
    for each row execute function evidence.refuse();
create trigger never_deleted before delete on evidence.log_checkpoints
    for each row execute function evidence.refuse();

-- The package's small files are made when all proofs are there, at the end; until then the signature waits here.
alter table evidence.exhibits add column signature bytea;
-- What sealing waits for, in plain words; null: for nothing but its turn.
alter table evidence.exhibits add column waits_for text;

alter table evidence.exhibits
    add constraint signature_is_kept check (signed_at is null or signature is not null),
    add constraint log_proof_is_kept check (logged_at is null or log_proof is not null);
