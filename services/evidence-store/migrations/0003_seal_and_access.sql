-- The small files of a sealed package (everything but the tracks), written once by the step that made them.
create table evidence.artefacts (
    exhibit_id  uuid     not null references evidence.exhibits,
    -- Its place in the archive.
    ordinal     smallint not null,
    -- Its path in the package: `bag/manifest-sha256.txt`, `proof/seal.p7s`.
    path        text     not null,
    content     bytea    not null,
    primary key (exhibit_id, ordinal)
);

-- Who looked, why, at what, when. Committed before the first byte leaves.
create table evidence.accesses (
    access_id   uuid primary key,
    exhibit_id  uuid        not null references evidence.exhibits,
    request_id  uuid        not null,
    who         text        not null,
    what        text        not null,
    reason      text        not null,
    at          timestamptz not null
);

-- ListAccess pages by (at, access_id); a reused request id is looked for by itself.
create index accesses_in_order on evidence.accesses (exhibit_id, at, access_id);
create index accesses_by_request on evidence.accesses (request_id);

-- Evidence is never changed in place. A guard rail against our own mistakes: a superuser can undo it.
create function evidence.refuse() returns trigger language plpgsql as $$
begin
    raise exception '% on evidence.% is refused', tg_op, tg_table_name;
end $$;

create trigger write_once before update or delete on evidence.artefacts
    for each row execute function evidence.refuse();
create trigger write_once before update or delete on evidence.accesses
    for each row execute function evidence.refuse();
create trigger write_once before update or delete on evidence.segments
    for each row execute function evidence.refuse();
create trigger write_once before update or delete on evidence.conflicts
    for each row execute function evidence.refuse();
