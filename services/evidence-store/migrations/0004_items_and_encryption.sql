-- Everything in the journal is encrypted now, so what is stored has a hash of its own, which the chain covers too. Items
-- lie beside the tracks, and what comes after the seal becomes an addendum: an exhibit of the same call, numbered.
-- No journal of an earlier format exists outside of development, so there are no rows to bring over.

alter table evidence.segments add column stored_sha256 bytea not null;
alter table evidence.conflicts add column stored_sha256 bytea not null;

-- The last record that is indexed, and its header's own hash: an older copy of the file, put back, is noticed by it.
alter table evidence.journal_files add column last bigint not null;
alter table evidence.journal_files add column last_check bytea not null;

-- Where a record was damaged, its segment and those behind it are sent again, and encrypted anew: the rows then point to
-- the new records. The same bytes at the same place, written later, and nothing else may do that.
create function evidence.refuse_unless_sent_again() returns trigger language plpgsql as $$
begin
    if (new.exhibit_id, new.track, new.seq, new.len, new.sha256, new.starts_at, new.ends_at)
        = (old.exhibit_id, old.track, old.seq, old.len, old.sha256, old.starts_at, old.ends_at)
        and (new.file, new.at) > (old.file, old.at) then
        return new;
    end if;
    raise exception '% on evidence.% is refused', tg_op, tg_table_name;
end $$;

drop trigger write_once on evidence.segments;
create trigger write_once before delete on evidence.segments
    for each row execute function evidence.refuse();
create trigger sent_again before update on evidence.segments
    for each row execute function evidence.refuse_unless_sent_again();

-- In an addendum a track starts where its parent's fence came down. The row is made at the opening, with no segment yet.
-- The items' chain is counted here as the track `items`.
alter table evidence.tracks add column first bigint not null default 0;

-- An addendum names its parent, and has the parent's call: part 1 is the call's own exhibit.
alter table evidence.exhibits add column parent_exhibit_id uuid references evidence.exhibits;
alter table evidence.exhibits add column part integer not null default 1;
alter table evidence.exhibits drop constraint exhibits_call_id_key;
alter table evidence.exhibits add constraint one_exhibit_a_part unique (call_id, part);
alter table evidence.exhibits add constraint addenda_have_a_parent check ((part = 1) = (parent_exhibit_id is null));

-- What is kept beside the media: stills, the chat, statements ... Rows come from the indexer only; the bytes, and these
-- facts too, are in the journal, encrypted.
create table evidence.items (
    exhibit_id      uuid        not null references evidence.exhibits,
    -- 0, 1, 2 ... in the order that the journal took them in.
    seq             bigint      not null,
    -- The request that brought it.
    item_id         uuid        not null,
    kind            text        not null,
    name            text        not null,
    -- 1, 2 ... for each kind and name.
    version         bigint      not null,
    media_type      text        not null,
    -- Length and hash of the item's own bytes.
    bytes           bigint      not null,
    sha256          bytea       not null,
    -- Hash of the record's payload: facts and bytes together; and of what is stored for it.
    payload_sha256  bytea       not null,
    stored_sha256   bytea       not null,
    -- The record's place: journal file, offset of its header; `len` counts the payload alone.
    file            bigint      not null,
    at              bigint      not null,
    len             integer     not null,
    made_at         timestamptz not null,
    added_at        timestamptz not null,
    -- Chain head before and after.
    prev            bytea       not null,
    chain           bytea       not null,
    primary key (exhibit_id, seq),
    unique (exhibit_id, item_id),
    unique (exhibit_id, kind, name, version)
);

-- Recovery asks what lies at a damaged place.
create index items_by_place on evidence.items (file, at);

create trigger write_once before update or delete on evidence.items
    for each row execute function evidence.refuse();
