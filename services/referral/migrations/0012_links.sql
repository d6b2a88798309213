-- Partners say by the link in their letter that they have a referral, and what came of it: such a step is no officer's.
comment on column referral.referral_versions.saved_by is
    'Whose word it is; null: a rule''s, the caller''s own who took their consent back, or the partner''s by their link';
