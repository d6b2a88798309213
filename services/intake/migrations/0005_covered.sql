-- One consent more: to be recorded also while the caller has covered the call, because somebody has come who must not see it.
alter table intake.calls add column consent_covered boolean;

alter table intake.consents drop constraint consents_kind_check;
alter table intake.consents
    add constraint consents_kind_check check (kind in ('video', 'recording', 'stills', 'covered'));
