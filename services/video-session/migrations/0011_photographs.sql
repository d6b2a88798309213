-- How many photographs the caller has sent: names the next one, and ends somewhere.
alter table session.sessions add column photographs_taken integer not null default 0;
alter table session.sessions alter column photographs_taken drop default;
