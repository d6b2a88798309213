-- Fast-track: the officer asks the control room to send somebody now, and sees how that fares. Each change is a line of the ledger, too,
-- wherever the session is carried: how many of them are written already is kept here, so that none is lost on the way.
create table session.fast_tracks (
    fast_track_id uuid primary key,
    session_id uuid not null references session.sessions,
    -- Who pressed, and when.
    officer_id text not null,
    requested_at timestamptz not null,
    risk text not null check (risk in ('standard', 'medium', 'high')),
    reason text not null check (reason in ('DANGER', 'OFFENDER_BACK', 'MEDICAL', 'CHILD', 'OTHER')),
    -- The number of their last still; null: there was none.
    still integer,
    -- When it was raised again, because nobody in the control room took it on.
    raised_again timestamptz[] not null,
    -- Who in the control room took it on, whom they send, and when.
    taken_by text,
    unit text,
    taken_at timestamptz,
    -- So many lines of the ledger are written.
    noted integer not null,
    constraint taken_whole check (num_nulls(taken_by, unit, taken_at) in (0, 3))
);

create index fast_tracks_of_session on session.fast_tracks (session_id);
