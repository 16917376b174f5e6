class ApplicationController < ActionController::Base
  rescue_from ActiveRecord::RecordNotFound do
    render plain: "There is no such page.\n", status: :not_found
  end
end
