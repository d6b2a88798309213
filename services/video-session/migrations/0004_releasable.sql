-- How much of each track evidence-store has in object storage: the spool's folder goes once that is all of it. What comes late is
-- archived later than the rest, so one word for the whole session isn't enough.
alter table session.tracks add column releasable bigint not null default 0;

update session.tracks t set releasable = 9223372036854775807
from session.sessions s where s.session_id = t.session_id and s.released_at is not null;
