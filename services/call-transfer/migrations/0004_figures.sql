-- Sergeants see how the desk does, by the hour in which calls came: those of a window are found without reading all.
create index calls_came on transfer.calls (force_id, queued_at);
