-- An officer rings the caller of an earlier call, and starts a further one: it is theirs before anybody else's, and whoever gets it
-- sees what it follows. Both or neither.
alter table transfer.calls
    add column follow_up_of uuid,
    add column for_officer  text,
    add constraint calls_follow_up_check check (num_nulls(follow_up_of, for_officer) in (0, 2));
