Rails.application.configure do
  config.cache_classes = true
  config.eager_load = false
  config.consider_all_requests_local = true
  config.action_dispatch.show_exceptions = false
  config.secret_key_base = "of no use outside of tests"
  config.action_controller.allow_forgery_protection = false
  config.active_support.deprecation = :stderr
  config.log_level = :warn
end
