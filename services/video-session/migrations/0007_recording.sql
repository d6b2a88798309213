-- Recording under the officer's command. `recording` stays what the caller agreed to when the call was accepted; this is how it
-- stands: a consent withdrawn in mid-call stops the recording for good, and nothing else about the call.
alter table session.sessions
    add column recording_state text not null default 'on'
        check (recording_state in ('on', 'paused', 'stopped', 'refused')),
    -- The caller agrees to have stills taken. Of a call that was accepted before this was kept nobody knows: not agreed.
    add column stills boolean not null default false;

update session.sessions set recording_state = 'refused' where not recording;

alter table session.sessions
    alter column recording_state drop default,
    alter column stills drop default,
    add check ((recording_state = 'refused') = not recording);
