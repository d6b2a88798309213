-- How long an exhibit is kept and who may let it go; the access log as a chain; exhibits in the order of a list.

-- A legal hold, and its end. Two tables, because neither is ever changed.
create table evidence.holds (
    hold_id      uuid primary key,
    exhibit_id   uuid        not null references evidence.exhibits,
    placed_by    text        not null,
    reason       text        not null,
    placed_at    timestamptz not null
);
create index holds_of_exhibit on evidence.holds (exhibit_id, placed_at, hold_id);

create table evidence.hold_releases (
    hold_id      uuid primary key references evidence.holds,
    released_by  text        not null,
    reason       text        not null,
    released_at  timestamptz not null
);

-- Every review of whether an exhibit may go, each with what it came to. One that nobody has reviewed has no row: its class
-- is the configuration's default, and its term runs from the seal.
create table evidence.reviews (
    exhibit_id  uuid        not null references evidence.exhibits,
    n           integer     not null,
    who         text        not null,
    decision    text        not null,
    reason      text        not null,
    at          timestamptz not null,
    -- The class, and when a review is due, after this one.
    class       text        not null,
    due_at      timestamptz not null,
    primary key (exhibit_id, n),
    constraint decision_is_known check (decision in ('retain', 'dispose'))
);

-- A row here means: nobody reads the exhibit any more. The exhibit's own row stays as it was sealed.
create table evidence.disposals (
    exhibit_id    uuid primary key references evidence.exhibits,
    begun_at      timestamptz not null,
    -- The tombstone (JCS), its signature (CMS), and the authority's answer; null: no authority was configured.
    tombstone     bytea       not null,
    signature     bytea       not null,
    token         bytea,
    -- Null until the data key is known to be destroyed; whoever finds it null destroys the key.
    destroyed_at  timestamptz
);
create index disposals_unfinished on evidence.disposals (exhibit_id) where destroyed_at is null;

create trigger write_once before update or delete on evidence.holds
    for each row execute function evidence.refuse();
create trigger write_once before update or delete on evidence.hold_releases
    for each row execute function evidence.refuse();
create trigger write_once before update or delete on evidence.reviews
    for each row execute function evidence.refuse();
create trigger write_once before delete on evidence.disposals
    for each row execute function evidence.refuse();
-- The one change that is allowed: the key is gone now.
create trigger destroyed_once before update on evidence.disposals
    for each row when (old.destroyed_at is not null or new.destroyed_at is null
        or (old.exhibit_id, old.begun_at, old.tombstone, old.signature, old.token)
           is distinct from (new.exhibit_id, new.begun_at, new.tombstone, new.signature, new.token))
    execute function evidence.refuse();

-- The access log's newest line, by exhibit. Its row's lock is what makes one line follow another.
create table evidence.access_heads (
    exhibit_id  uuid primary key references evidence.exhibits,
    -- Its number of lines, and SHA-256 of the last; 32 zero bytes before the first.
    n           bigint not null,
    head        bytea  not null
);

-- What was recorded before there was a chain gets its lines now, in the order in which it happened.
alter table evidence.accesses add column n bigint, add column line bytea, add column head bytea;
alter table evidence.accesses disable trigger write_once;
do $$
declare
    look record;
    last bytea := null;
    of   uuid := null;
    nth  bigint := 0;
    made bytea;
begin
    for look in select * from evidence.accesses order by exhibit_id, at, access_id loop
        if of is distinct from look.exhibit_id then
            of := look.exhibit_id; nth := 0; last := decode(repeat('00', 32), 'hex');
        end if;
        made := convert_to(format(
            '{"at":"%s","exhibit":"%s","n":"%s","prev":"%s","reason":%s,"what":%s,"who":%s}' || E'\n',
            to_char(look.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), of, nth, encode(last, 'hex'),
            to_json(look.reason), to_json(look.what), to_json(look.who)), 'UTF8');
        last := sha256(made);
        update evidence.accesses set n = nth, line = made, head = last where access_id = look.access_id;
        nth := nth + 1;
        insert into evidence.access_heads (exhibit_id, n, head) values (of, nth, last)
        on conflict (exhibit_id) do update set n = excluded.n, head = excluded.head;
    end loop;
end $$;
alter table evidence.accesses enable trigger write_once;
alter table evidence.accesses alter column n set not null, alter column line set not null, alter column head set not null;
-- ListAccess and the exported log go by the number.
drop index evidence.accesses_in_order;
create unique index accesses_in_order on evidence.accesses (exhibit_id, n);

-- ListExhibits, newest first.
create index exhibits_of_force on evidence.exhibits (force_id, opened_at desc, exhibit_id desc);

-- What the caller agreed to, as intake told it: often before the exhibit is there, so it waits here until it is an item of it.
create table evidence.consents (
    event_id  uuid primary key,
    call_id   uuid        not null,
    force_id  text        not null,
    at        timestamptz not null,
    -- The item, byte for byte: kinds and answers, no words of anybody's.
    content   bytea       not null,
    -- Null until it is in the exhibit.
    added_at  timestamptz
);
create index consents_waiting on evidence.consents (call_id) where added_at is null;
