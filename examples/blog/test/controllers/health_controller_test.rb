require "test_helper"

class HealthControllerTest < ActionDispatch::IntegrationTest
  # what the controller sees of the database is replaced for the length of a block
  def with_connection(replacement)
    original = ActiveRecord::Base.method(:connection)
    ActiveRecord::Base.define_singleton_method(:connection) { replacement.call }
    yield
  ensure
    ActiveRecord::Base.define_singleton_method(:connection, original)
  end

  test "the process is alive whatever the database does" do
    with_connection(-> { raise ActiveRecord::ConnectionNotEstablished }) do
      get "/healthz"
    end
    assert_response :success
  end

  test "the app is ready when the database has every table" do
    get "/readyz"
    assert_response :success
  end

  test "the app is not ready when the database does not answer" do
    with_connection(-> { raise ActiveRecord::ConnectionNotEstablished }) do
      get "/readyz"
    end
    assert_response :service_unavailable
    assert_match(/does not answer/, response.body)
  end

  test "the app is not ready when a migration has not run" do
    ActiveRecord::SchemaMigration.where(version: "20210201090000").delete_all
    get "/readyz"
    assert_response :service_unavailable
    assert_match(/CreateArticles/, response.body)
  end
end
