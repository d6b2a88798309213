-- Statements, notes and stages of Clare's Law are only added to, as the heads of 0009 and 0010 say. Here it is refused to do otherwise,
-- as for the other tables of that kind: a guard rail against our own mistakes.
create trigger write_once before update or delete on referral.statements
    for each row execute function referral.refuse();
create trigger write_once before update or delete on referral.package_notes
    for each row execute function referral.refuse();
create trigger write_once before update or delete on referral.disclosure_stages
    for each row execute function referral.refuse();
