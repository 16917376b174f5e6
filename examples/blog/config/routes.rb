Rails.application.routes.draw do
  root to: redirect("/articles", status: 302)
  resources :articles
  # is the process alive, and can it serve: what the pod's probes ask
  get "/healthz", to: "health#live"
  get "/readyz", to: "health#ready"
end
