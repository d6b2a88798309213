-- The people of a case. `people` is who is part of it now; a person who is taken out leaves it, and stays in
-- `person_versions`, which keeps every version that ever was.
create table referral.people (
    id       uuid primary key,
    call_id  uuid not null references referral.packages (call_id),
    force_id text not null,
    -- As domain/person.rs has it. Personal data.
    details  jsonb not null,
    version  bigint not null,
    saved_by text not null,
    saved_at timestamptz not null
);
-- By id: ids made later sort later, so this is also the order in which they were written down.
create index people_of_call on referral.people (call_id, id);
-- Who rang is one.
create unique index one_victim on referral.people (call_id) where details ->> 'part' = 'victim';

create table referral.person_versions (
    person_id uuid not null,
    version   bigint not null,
    call_id   uuid not null references referral.packages (call_id),
    force_id  text not null,
    -- None: taken out, for this reason.
    details   jsonb,
    reason    text,
    saved_by  text not null,
    saved_at  timestamptz not null,
    primary key (person_id, version),
    check (num_nulls(details, reason) = 1)
);

-- A version is never changed and never goes: what was once written down can be asked about in court. A guard rail against our
-- own mistakes.
create function referral.refuse() returns trigger language plpgsql as $body$
begin
    raise exception 'rows of referral.% are only added', tg_table_name;
end $body$;
create trigger write_once before update or delete on referral.person_versions
    for each row execute function referral.refuse();

select outbox.isolate('referral.people');
select outbox.isolate('referral.person_versions');
