-- An update that the control room refuses for good stood in the way of all later ones of its call, somebody's cry for help
-- among them. After some refusals it is left out, and the next is sent.
alter table intake.mait_sent
    -- How often the next one was refused for good: not when the control room is away or busy.
    add column refusals integer not null default 0,
    -- How many were left out.
    add column skipped bigint not null default 0;
