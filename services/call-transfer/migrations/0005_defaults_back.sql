-- The defaults of columns that came later, back: 0002 and 0003 dropped them at once, so that a replica of the version
-- before, which goes on for as long as a rolling upgrade takes, could keep no new call and no officer. It doesn't name
-- these columns. What it keeps is a call without special needs, of the standard grade's limits, and an officer without
-- skills. A replica of this version names them all.
alter table transfer.calls
    alter column covered_recording_consented set default false,
    alter column vulnerability set default 'none',
    alter column child_may_speak set default false,
    alter column softens_at set default now(),
    alter column long_at set default now() + interval '10 minutes',
    alter column wait_until set default now() + interval '30 minutes';
alter table transfer.officers
    alter column languages set default '{}',
    alter column child_trained set default false;
