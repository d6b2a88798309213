-- A call may have several fast-tracks, and its one alert is over when the control room has taken on each that a sergeant
-- doesn't know of yet: so which these are is kept.
-- Of a fast-track that nobody in the control room has taken on in time: how often the alert had been raised when this one
-- last was. It goes when somebody takes it on.
create table transfer.fast_tracks (
    fast_track_id uuid    primary key,
    call_id       uuid    not null references transfer.calls,
    count         integer not null check (count > 0)
);

create index fast_tracks_of_call on transfer.fast_tracks (call_id);
