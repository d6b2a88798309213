-- A desk has opening hours, officers have shifts, and a caller for whom there was no officer is rung back. What is open
-- when is configuration; what was agreed with whom is here.
alter table transfer.calls
    -- Its caller was reached by a call-back: what follows is no answer out of the queue.
    add column called_back boolean not null default false,
    drop constraint calls_returned_why_check,
    add constraint calls_returned_why_check
        check (returned_why in ('wait_limit', 'by_desk', 'desk_closed', 'call_back'));

alter table transfer.alerts
    drop constraint alerts_kind_check,
    add constraint alerts_kind_check check (kind in ('declined', 'not_answered', 'waits_long', 'no_skill', 'fast_track',
                                                     'callback_due', 'callback_missed'));

create table transfer.callbacks (
    callback_id    uuid        primary key,
    force_id       text        not null,
    call_id        uuid        not null references transfer.calls,
    from_at        timestamptz not null,
    until_at       timestamptz not null,
    language       text        not null,
    -- Personal data, and all that is of it: gone once the call-back is over.
    number         text,
    word           text,
    who_may_answer text,
    state          text        not null check (state in ('agreed', 'due', 'taken', 'kept', 'missed', 'cancelled')),
    -- Of a due one: when a sergeant hears that nobody rings; null once they have.
    alert_at       timestamptz,
    -- Who rings, or rang last, and until when nobody else does.
    taken_by       text,
    taken_until    timestamptz,
    agreed_by      text        not null,
    agreed_at      timestamptz not null,
    cancelled_by   text,
    over_at        timestamptz,
    check (from_at < until_at),
    check ((state = 'taken') = (taken_until is not null) and (state <> 'taken' or taken_by is not null)),
    check ((state in ('kept', 'missed', 'cancelled')) = (over_at is not null)),
    check (num_nulls(number, word, who_may_answer) = case when over_at is null then 0 else 3 end)
);

-- One call-back a call at a time, and one an officer.
create unique index callbacks_one_per_call on transfer.callbacks (call_id) where over_at is null;
create unique index callbacks_one_per_officer on transfer.callbacks (force_id, taken_by) where state = 'taken';
create index callbacks_listed on transfer.callbacks (force_id, from_at, callback_id);
create index callbacks_open on transfer.callbacks (from_at) where over_at is null;

-- Each time that somebody rang, and how it went.
create table transfer.callback_attempts (
    callback_id uuid        not null references transfer.callbacks,
    nth         integer     not null check (nth > 0),
    force_id    text        not null,
    officer_id  text        not null,
    at          timestamptz not null,
    outcome     text        not null
        check (outcome in ('reached', 'no_answer', 'somebody_else', 'word_not_given', 'not_safe')),
    primary key (callback_id, nth)
);

-- Each time that an officer was shown the number, the word and who may answer.
create table transfer.callback_looks (
    callback_id uuid        not null references transfer.callbacks,
    force_id    text        not null,
    officer_id  text        not null,
    at          timestamptz not null
);

create index callback_looks_of on transfer.callback_looks (callback_id);

create table transfer.shifts (
    shift_id     uuid        primary key,
    force_id     text        not null,
    officer_id   text        not null,
    from_at      timestamptz not null,
    until_at     timestamptz not null,
    -- Which sergeant said so last, and who said that it is none.
    set_by       text        not null,
    cancelled_by text,
    check (from_at < until_at)
);

create index shifts_of on transfer.shifts (force_id, officer_id, until_at) where cancelled_by is null;
-- When officers come and go next.
create index shifts_begin on transfer.shifts (from_at) where cancelled_by is null;
create index shifts_end on transfer.shifts (until_at) where cancelled_by is null;
