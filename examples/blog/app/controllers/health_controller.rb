# Asked by the probes of the pod, every few seconds: no session, no cookies, no log line.
class HealthController < ActionController::API
  # The process answers. It says nothing about the database: restarting the app would not mend that.
  def live
    render plain: "ok\n"
  end

  # Requests can be served: the database answers, and it has every table that this release was written for.
  def ready
    pending = ActiveRecord::Base.connection.migration_context.open.pending_migrations
    if pending.empty?
      render plain: "ok\n"
    else
      render plain: "migrations have not run: #{pending.map(&:name).join(", ")}\n", status: :service_unavailable
    end
  rescue ActiveRecord::ActiveRecordError => error
    render plain: "the database does not answer: #{error.class}\n", status: :service_unavailable
  end
end
