-- What goes to partners by itself. A parcel is written in the transaction that sends (or takes back) its referral; workers claim it,
-- deliver outside of any transaction, and write down what became of it: at least once, under an id by which the partner knows a repeat.
create table referral.parcels (
    id              uuid        primary key,
    force_id        text        not null,
    call_id         uuid        not null references referral.packages,
    referral_id     uuid        not null,
    -- The referral's kind, for the event.
    kind            text        not null,
    -- In the book; its route is looked up at each attempt, so that a corrected one is gone by at once.
    partner_id      text        not null,
    what            text        not null check (what in ('referral', 'withdrawal')),
    -- What the partner is told, word for word: personal data.
    body            jsonb       not null,
    made_at         timestamptz not null,
    -- "stopped": the referral was taken back before this had certainly arrived, and it isn't sent any more.
    state           text        not null check (state in ('waiting', 'delivered', 'failed', 'stopped')),
    settled_at      timestamptz,
    -- Counted when an attempt begins: one whose process dies counts as well.
    attempts        int         not null,
    last_attempt_at timestamptz,
    next_at         timestamptz,
    -- A code, without anybody's data.
    problem         text,
    -- Who has it in hand, and until when nobody else takes it.
    claim           uuid,
    claimed_until   timestamptz,
    unique (referral_id, what),
    check ((state = 'waiting') = (next_at is not null)),
    check ((state = 'waiting') = (settled_at is null))
);
create index parcels_waiting on referral.parcels (next_at) where state = 'waiting';
create index parcels_failed on referral.parcels (force_id) where state = 'failed';
create index parcels_of_call on referral.parcels (call_id);
select outbox.isolate('referral.parcels');

-- Each attempt, once it is known how it went. A number that is missing is of one whose process ended before it knew.
create table referral.attempts (
    parcel_id uuid        not null references referral.parcels,
    number    int         not null,
    begun_at  timestamptz not null,
    ended_at  timestamptz not null,
    -- Null: the partner took it.
    problem   text,
    primary key (parcel_id, number)
);
select outbox.isolate_child('referral.attempts', 'parcel_id', 'referral.parcels', 'id');

create function referral.refuse_change() returns trigger language plpgsql as
    $$ begin raise exception '% is only added to', tg_table_name; end $$;
create trigger write_once before update or delete on referral.attempts
    for each row execute function referral.refuse_change();
