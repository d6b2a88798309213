-- The desk: calls that wait or are had, the offers made of them, and the officers there.
-- Everything about one force changes under that force's advisory lock (store::lock_desk), so a matching sees a still
-- picture. The unique indexes say the same once more, to whoever changes the code or the data by hand.
create schema if not exists transfer;

create table transfer.calls (
    call_id            uuid primary key,
    force_id           text        not null,
    -- What the control room said, from TransferRequested.
    incident_date      text        not null,
    incident_number    text        not null,
    risk               text        not null check (risk in ('standard', 'medium', 'high')),
    language           text        not null,
    children_present   boolean     not null,
    route              text        not null check (route in ('spoken_code', 'sms')),
    recording_consented boolean    not null,
    stills_consented   boolean     not null,
    queued_at          timestamptz not null,
    -- W3C trace context of TransferRequested: whatever happens to the call later belongs to its trace.
    trace              text        not null,
    state              text        not null check (state in ('queued', 'offered', 'accepted', 'ended', 'abandoned')),
    -- How many offers were made; the latest one's number while it is open.
    offers             integer     not null,
    -- Who has it on offer, has it, or had it.
    officer_id         text,
    offer_expires_at   timestamptz,
    accepted_at        timestamptz,
    check ((state in ('offered', 'accepted', 'ended')) = (officer_id is not null)),
    check ((state = 'offered') = (offer_expires_at is not null)),
    check (state <> 'accepted' or accepted_at is not null)
);

-- Never two calls for an officer.
create unique index calls_one_per_officer on transfer.calls (force_id, officer_id) where state in ('offered', 'accepted');
-- The queue, and the offers that run out.
create index calls_waiting on transfer.calls (force_id) where state in ('queued', 'offered');
create index calls_offer_runs_out on transfer.calls (offer_expires_at) where state = 'offered';

-- Every offer ever made, with its outcome and the officer's reason for declining.
create table transfer.offers (
    call_id    uuid        not null references transfer.calls,
    nth        integer     not null,
    force_id   text        not null,
    officer_id text        not null,
    offered_at timestamptz not null,
    expires_at timestamptz not null,
    settled_at timestamptz,
    outcome    text check (outcome in ('accepted', 'declined', 'expired', 'gone', 'withdrawn')),
    reason     text check (length(reason) between 1 and 200),
    primary key (call_id, nth),
    check ((settled_at is null) = (outcome is null))
);

-- Never two officers for a call: one offer is open or taken.
create unique index offers_one_per_call on transfer.offers (call_id) where outcome is null or outcome = 'accepted';
create unique index offers_one_per_officer on transfer.offers (force_id, officer_id) where outcome is null;

-- Who passed on a call in its present round, and from when they may be asked again.
create table transfer.passes (
    call_id    uuid        not null references transfer.calls,
    officer_id text        not null,
    expired    boolean     not null,
    again_from timestamptz not null,
    primary key (call_id, officer_id)
);

-- Officers who have ever been at the desk. `gone`: they were not heard from by `expires_at`.
create table transfer.officers (
    force_id   text        not null,
    officer_id text        not null,
    wish       text        not null check (wish in ('free', 'away')),
    free_since timestamptz not null,
    expires_at timestamptz not null,
    gone       boolean     not null,
    primary key (force_id, officer_id)
);

-- Whose presence runs out next.
create index officers_lapse on transfer.officers (expires_at) where not gone;
