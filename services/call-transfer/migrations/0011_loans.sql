-- Mutual aid: a force lends officers to another (docs/mutual-aid.md).
-- Each agreement is kept twice, once for each force, so that one force's rows are all that a transaction needs to see.
create table transfer.loans (
    -- Whose copy it is.
    force_id   text        not null,
    loan_id    uuid        not null,
    from_force text        not null,
    to_force   text        not null,
    -- Who is lent, by their ids at home.
    officers   text[]      not null check (cardinality(officers) between 1 and 50),
    from_at    timestamptz not null,
    until_at   timestamptz not null,
    -- The lender's sergeant, and the borrower's.
    offered_by text        not null,
    agreed_by  text,
    -- Whoever ended it before its time, with their force.
    ended_by   text,
    ended_at   timestamptz,
    primary key (force_id, loan_id),
    check (force_id in (from_force, to_force) and from_force <> to_force),
    check (from_at < until_at),
    check ((ended_by is null) = (ended_at is null))
);
select outbox.isolate('transfer.loans');

create index loans_listed on transfer.loans (force_id, until_at);
-- When lent officers may come, and when they are offered nothing more.
create index loans_begin on transfer.loans (from_at) where agreed_by is not null and ended_by is null;
create index loans_end on transfer.loans (until_at) where agreed_by is not null and ended_by is null;

-- The other force at whose desk an officer of this force is. They are gone at their own then, whatever a replica of the
-- version before makes of a heartbeat.
alter table transfer.officers
    add column at_force text,
    add constraint officers_one_desk check (at_force is null or gone and at_force <> force_id);

-- Never two calls, nor two offers, for a person, at whichever desks. `a.patel` of kent is `a.patel@kent` anywhere else.
create unique index calls_one_per_person on transfer.calls (
    (case when position('@' in officer_id) > 0 then split_part(officer_id, '@', 2) else force_id end),
    (split_part(officer_id, '@', 1))
) where state in ('offered', 'accepted');
create unique index offers_one_per_person on transfer.offers (
    (case when position('@' in officer_id) > 0 then split_part(officer_id, '@', 2) else force_id end),
    (split_part(officer_id, '@', 1))
) where outcome is null;
-- They say what these said, and more; whose call it is is still asked by desk and name.
drop index transfer.calls_one_per_officer;
drop index transfer.offers_one_per_officer;
create index calls_of_officer on transfer.calls (force_id, officer_id) where state in ('offered', 'accepted');
