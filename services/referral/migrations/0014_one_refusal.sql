-- Tables that are only added to had two triggers that say the same: one is enough.
create or replace trigger write_once before update or delete on referral.attempts
    for each row execute function referral.refuse();
drop function referral.refuse_change();
