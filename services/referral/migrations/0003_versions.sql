-- A case is worked on by several officers at once: each change of anything in it counts it up and wakes whoever watches
-- (NOTIFY referral_case, the call's id).
alter table referral.packages add column version bigint not null default 0;
