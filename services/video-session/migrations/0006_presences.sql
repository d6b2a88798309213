-- Who was in the call, from when to when, with what: a row is committed before the media that it speaks of is accepted, so that
-- nobody can be in a call without being on the record. The document of who was there, which goes into the exhibit, is made of these.

create table session.presences (
    presence_id uuid primary key,
    session_id uuid not null references session.sessions,
    participant_id uuid not null references session.participants,
    -- What they publish, or else whom they watch.
    track text,
    watched_id uuid references session.participants,
    began_at timestamptz not null,
    ended_at timestamptz,
    -- Nobody saw the end: the process died, and by ended_at they were gone.
    cut_off boolean not null default false,
    foreign key (session_id, track) references session.tracks,
    check ((track is null) <> (watched_id is null)),
    check (not cut_off or ended_at is not null)
);

create index presences_by_session on session.presences (session_id);
create index presences_open on session.presences (participant_id) where ended_at is null;
