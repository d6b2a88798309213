-- The caller doesn't speak, as was found at triage: the officer begins with the chat. Null: they do, or it wasn't asked.
alter table session.sessions
    add column silent_caller text check (silent_caller in ('pressed_55', 'taps_only', 'cannot_speak'));
