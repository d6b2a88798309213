-- A follow-up's pictures fill an item of the first call's package, and end its clock: they are found by the first call. What was heard
-- stays the only truth about it.
alter table referral.packages
    add column follow_up_of uuid generated always as ((facts ->> 'follow_up_of')::uuid) stored;

create index packages_follow_ups on referral.packages (follow_up_of) where follow_up_of is not null;
