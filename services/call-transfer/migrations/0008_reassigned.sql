-- A sergeant gives a call to a named officer. Who did so and in what words is kept beside the offer that came of it. In
-- mid-call that offer counts as taken, and the one before it as handed on: so that there still is one taken offer a call.
alter table transfer.offers
    drop constraint offers_outcome_check,
    add constraint offers_outcome_check
        check (outcome in ('accepted', 'declined', 'expired', 'gone', 'withdrawn', 'handed_on'));

create table transfer.reassignments (
    call_id         uuid        not null references transfer.calls,
    -- The offer that came of it.
    nth             integer     not null,
    force_id        text        not null,
    -- Who had the call, or had it on offer; null: nobody.
    from_officer_id text,
    to_officer_id   text        not null,
    -- The sergeant.
    by_officer_id   text        not null,
    reason          text        not null check (length(reason) between 1 and 200),
    at              timestamptz not null,
    primary key (call_id, nth)
);
