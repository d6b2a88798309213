-- The caller doesn't speak: who is offered the call is told, and so is its session. Null: they do, or it wasn't asked.
alter table transfer.calls
    add column silent_caller text check (silent_caller in ('pressed_55', 'taps_only', 'cannot_speak'));
