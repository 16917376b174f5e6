-- Reads one URL over and over; the token and the form that is asked for stand in the environment.
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
wrk.headers["Accept"] = os.getenv("BENCH_ACCEPT")
