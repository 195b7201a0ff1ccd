SELECT personalize_version();
