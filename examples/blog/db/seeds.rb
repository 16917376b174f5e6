# The first article, once: `rails db:seed` may run as often as it likes.
Article.create_with(description: "Written by the database migration.").find_or_create_by!(title: "Hello")
