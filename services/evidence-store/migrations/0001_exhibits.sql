-- The index of what the journal holds, and how far each exhibit has come on its way to the seal.
-- The journal is the evidence; all of `exhibits`, `tracks`, `segments` and `conflicts` can be rebuilt from it.
create schema if not exists evidence;

create table evidence.exhibits (
    exhibit_id          uuid primary key,
    -- One exhibit a call: CallAccepted and OpenExhibit meet here.
    call_id             uuid        not null unique,
    force_id            text        not null,
    -- What a statement cites, such as ALC/7F3K9Q2M/1.
    reference           text        not null unique,
    incident_date       text        not null,
    incident_number     text        not null,
    -- The call's own trace (W3C traceparent), followed by everything that happens to the exhibit later.
    trace               text        not null,
    opened_at           timestamptz not null,
    -- Its opening record is in the journal, so the row can be rebuilt.
    journaled           boolean     not null default false,

    -- Open -> Fenced -> Manifested -> Signed -> Timestamped -> Logged -> Sealed. Each state holds what came before it.
    state               text        not null default 'open',
    fenced_at           timestamptz,
    -- Declared by video-session and not held when the fence came down.
    missing_segments    bigint,
    manifested_at       timestamptz,
    -- bag/data/manifest.json, byte for byte.
    manifest            bytea,
    -- SHA-256 of the bag's tagmanifest-sha256.txt: what is signed.
    tagmanifest_sha256  bytea,
    signed_at           timestamptz,
    -- SHA-256 of the detached signature: the seal digest that the control room's incident carries.
    seal_sha256         bytea,
    timestamped_at      timestamptz,
    -- RFC 3161 token; null past `timestamped` means that no authority was configured.
    timestamp_token     bytea,
    logged_at           timestamptz,
    -- Inclusion proof; null past `logged` means that no log was configured.
    log_proof           bytea,
    sealed_at           timestamptz,

    constraint state_is_known check (state in ('open', 'fenced', 'manifested', 'signed', 'timestamped', 'logged', 'sealed')),
    constraint fenced_holds check ((state = 'open') = (fenced_at is null) and (fenced_at is null) = (missing_segments is null)),
    constraint manifested_holds check ((state in ('open', 'fenced')) = (manifested_at is null) and (manifested_at is null) = (tagmanifest_sha256 is null) and (manifested_at is null) = (manifest is null)),
    constraint signed_holds check ((state in ('open', 'fenced', 'manifested')) = (signed_at is null) and (signed_at is null) = (seal_sha256 is null)),
    constraint timestamped_holds check ((state in ('timestamped', 'logged', 'sealed')) = (timestamped_at is not null)),
    constraint logged_holds check ((state in ('logged', 'sealed')) = (logged_at is not null)),
    constraint sealed_holds check ((state = 'sealed') = (sealed_at is not null))
);

-- The sealing worker's question: what isn't sealed yet?
create index exhibits_unsealed on evidence.exhibits (exhibit_id) where state <> 'sealed';

-- What SessionEnded said. Kept by call, without a foreign key: it may come before CallAccepted, which has another stream.
create table evidence.sessions (
    call_id     uuid primary key,
    force_id    text        not null,
    session_id  uuid        not null,
    reason      text        not null,
    started_at  timestamptz,
    ended_at    timestamptz not null,
    -- False: recording was refused. The exhibit then holds the facts of the call and no track.
    recorded    boolean     not null,
    -- When we heard; the grace for late segments counts from here.
    heard_at    timestamptz not null
);

create table evidence.declared_tracks (
    call_id         uuid   not null references evidence.sessions on delete cascade,
    track           text   not null,
    participant_id  uuid   not null,
    role            text   not null,
    segments        bigint not null,
    primary key (call_id, track)
);
