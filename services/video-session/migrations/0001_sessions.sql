-- video-session owns the video call: who is in it, which codes let in, and how many segments were recorded.
-- What is said and shown is never here: segments go through the spool to evidence-store.

create schema session;

-- One call has one session; making it is idempotent on the call.
create table session.sessions (
    session_id uuid primary key,
    call_id uuid not null unique,
    force_id text not null,
    -- Who accepted: the only one who commands.
    officer_id text not null,
    incident_date text not null,
    incident_number text not null,
    -- The caller's consent. False: forwarded, never written.
    recording boolean not null,
    state text not null check (state in ('invited', 'joined', 'live', 'ended')),
    started_at timestamptz not null,
    ended_at timestamptz,
    end_reason text check (end_reason in ('OFFICER_ENDED', 'CALLER_LEFT', 'BOTH_GONE')),
    -- When SessionEnded was written to the outbox. Ended and not announced is the work of the closer.
    announced_at timestamptz,
    -- W3C traceparent of the request that began the call: every later span and event follows it.
    trace text not null,
    check ((state = 'ended') = (ended_at is not null and end_reason is not null)),
    check (announced_at is null or ended_at is not null)
);

-- The closer's and the both-gone timer's scan: what is not yet over.
create index sessions_open on session.sessions (session_id) where announced_at is null;

-- One row a person, however often they come back.
create table session.participants (
    participant_id uuid primary key,
    session_id uuid not null references session.sessions,
    role text not null check (role in ('caller', 'officer')),
    -- SHA-256 of the bearer token; letting somebody in again replaces it, and the old token is worth nothing.
    token_hash bytea not null unique,
    -- How often they have begun to publish: the number in the newest track's name.
    publications integer not null default 0,
    -- The publication whose media flows now.
    flowing integer,
    last_seen_at timestamptz,
    unique (session_id, role)
);

create table session.invitations (
    invitation_id uuid primary key,
    session_id uuid not null references session.sessions,
    -- The code's first three symbols, which find the row.
    selector text not null,
    -- HMAC-SHA-256 of all eight under the server's key: without the key 40 bits could be tried out from a stolen table.
    -- Unique for ever, so that no code ever lets into two sessions.
    code_hash bytea not null unique,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    tries_left integer not null check (tries_left >= 0),
    used_at timestamptz,
    voided_at timestamptz
);

create index invitations_by_selector on session.invitations (selector, expires_at);
create index invitations_by_session on session.invitations (session_id);

-- What was recorded, to be declared to evidence-store when the call ends.
create table session.tracks (
    session_id uuid not null references session.sessions,
    -- 'caller-1': the role and the how-manieth publication.
    track text not null,
    participant_id uuid not null references session.participants,
    -- At least this many; the spool knows the newest ones, and both are asked when the session is closed.
    segments bigint not null default 0,
    primary key (session_id, track)
);
