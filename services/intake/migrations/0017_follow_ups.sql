-- An officer rings the caller of a call that is over back, days later, and starts a further one: bruises show late. It is a call like
-- others, and says which it follows: of several always the first.
alter table intake.calls add column follow_up_of uuid references intake.calls;

-- Whether one is going on is asked before the next begins.
create index calls_follow_ups on intake.calls (follow_up_of) where follow_up_of is not null;
