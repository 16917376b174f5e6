# Probes ask every few seconds: their requests are answered before they reach the request log.
class QuietProbes
  PATHS = ["/healthz", "/readyz"].freeze

  def initialize(app)
    @app = app
  end

  def call(env)
    return @app.call(env) unless PATHS.include?(env["PATH_INFO"])

    Rails.logger.silence(Logger::WARN) { @app.call(env) }
  end
end

Rails.application.config.middleware.insert_before Rails::Rack::Logger, QuietProbes
