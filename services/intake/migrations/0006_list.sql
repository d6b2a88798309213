-- ListCalls: a force's calls, newest first, from any of them on; and those that stand at some state without reading all
-- that are over.
create index calls_newest on intake.calls (force_id, opened_at desc, id desc);
create index calls_by_state on intake.calls (force_id, (state ->> 'state'), opened_at desc, id desc);
