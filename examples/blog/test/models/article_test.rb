require "test_helper"

class ArticleTest < ActiveSupport::TestCase
  test "an article has a title and a description" do
    assert Article.new(title: "Title", description: "Text").valid?
    assert_equal ["can't be blank"], Article.new(description: "Text").tap(&:valid?).errors[:title]
    assert_equal ["can't be blank"], Article.new(title: "Title").tap(&:valid?).errors[:description]
  end

  test "a title has 200 characters at most" do
    assert Article.new(title: "x" * 200, description: "Text").valid?
    assert_not Article.new(title: "x" * 201, description: "Text").valid?
  end

  test "the newest article comes first" do
    assert_equal [articles(:split), articles(:monolith)], Article.newest_first.to_a
  end
end
