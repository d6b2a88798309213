-- Cover: the caller's page shows something harmless instead of the call, because somebody has come who must not see it.
alter table session.sessions
    -- Since when it does; null: it shows the call.
    add column covered_since timestamptz,
    -- The newest tap that was heard of, as the page counts them: older ones change nothing any more.
    add column tap integer not null default 0,
    -- What the page turns into.
    add column pretext text not null default 'recipe',
    -- It may be recorded meanwhile: the caller agrees, and the force allows it. Of a call that was accepted before this was asked: not.
    add column cover_recording boolean not null default false;

alter table session.sessions
    alter column tap drop default,
    alter column pretext drop default,
    alter column cover_recording drop default;
