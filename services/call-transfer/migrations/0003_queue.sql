-- The queue is told, kept within limits, and goes by what a caller needs:
-- what the control room was told last of a call's place, so that only a change is told again; how vulnerable the caller
-- is and which officer they need; until when a call waits for such an officer, when a sergeant hears that it waits, and
-- until when it waits at all; what officers can do; what a sergeant should look into. A call may be given back.
alter table transfer.calls
    add column vulnerability     text        not null default 'none' check (vulnerability in ('none', 'some', 'great')),
    add column child_may_speak   boolean     not null default false,
    add column officer_asked_for text check (officer_asked_for in ('woman', 'man')),
    add column softens_at        timestamptz not null default now(),
    add column long_at           timestamptz not null default now() + interval '15 minutes',
    add column wait_until        timestamptz not null default now() + interval '30 minutes',
    -- What was told last; null before that. No wait: nobody could tell.
    add column told_position     integer,
    add column told_wait_s       integer,
    -- Since when nobody waits for it or has it: ended, abandoned, returned. Null for what was over before this column.
    add column over_at           timestamptz,
    add column returned_why      text check (returned_why in ('wait_limit', 'by_desk')),
    -- Which officer or sergeant gave it back, and in what words.
    add column returned_by       text,
    add column returned_reason   text check (length(returned_reason) between 1 and 200),
    drop constraint calls_state_check,
    add constraint calls_state_check
        check (state in ('queued', 'offered', 'accepted', 'ended', 'abandoned', 'returned')),
    -- Of a returned call: who had it, if anybody.
    drop constraint calls_check,
    add constraint calls_officer_check
        check (state = 'returned' or (state in ('offered', 'accepted', 'ended')) = (officer_id is not null)),
    add constraint calls_returned_check check ((state = 'returned') = (returned_why is not null));
alter table transfer.calls
    alter column vulnerability drop default,
    alter column child_may_speak drop default,
    alter column softens_at drop default,
    alter column long_at drop default,
    alter column wait_until drop default;

-- How long the newest calls took.
create index calls_ended on transfer.calls (force_id, over_at desc) where state = 'ended';

alter table transfer.officers
    add column languages     text[]  not null default '{}',
    add column child_trained boolean not null default false,
    add column gender        text check (gender in ('woman', 'man'));
alter table transfer.officers
    alter column languages drop default,
    alter column child_trained drop default;

-- What a sergeant should look into: one row a call and kind. It is open while it has come to it more often than a
-- sergeant has said that they know of.
create table transfer.alerts (
    call_id         uuid        not null references transfer.calls,
    kind            text        not null
        check (kind in ('declined', 'not_answered', 'waits_long', 'no_skill', 'fast_track')),
    force_id        text        not null,
    -- About whom, if about somebody.
    officer_id      text,
    since           timestamptz not null,
    count           integer     not null check (count > 0),
    acknowledged    integer     not null default 0 check (acknowledged <= count),
    -- By which sergeant, the last time.
    acknowledged_by text,
    acknowledged_at timestamptz,
    primary key (call_id, kind)
);

create index alerts_open on transfer.alerts (force_id, since) where acknowledged < count;
