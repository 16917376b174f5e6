require "test_helper"

class ArticlesControllerTest < ActionDispatch::IntegrationTest
  test "the front page leads to the articles" do
    get "/"
    assert_redirected_to articles_path
  end

  test "all articles are listed, and the page tells its release" do
    get articles_path
    assert_response :success
    assert_select "article h2", 2
    assert_select "article h2", text: "The monolith"
    assert_select "footer", /release \S+ on \S+/
  end

  test "articles are there as JSON, too" do
    get articles_path(format: :json)
    assert_equal ["The split", "The monolith"], response.parsed_body.map { |article| article["title"] }
  end

  test "an article is written" do
    assert_difference("Article.count") do
      post articles_path, params: { article: { title: "New", description: "Text" } }
    end
    assert_redirected_to article_path(Article.find_by!(title: "New"))
    follow_redirect!
    assert_select "h2", "New"
    assert_select ".notice", /published/
  end

  test "an article without a title is not written, and the form says why" do
    assert_no_difference("Article.count") do
      post articles_path, params: { article: { title: "", description: "Text" } }
    end
    assert_response :unprocessable_entity
    assert_select ".error", "Title can't be blank"
  end

  test "an article is changed" do
    article = articles(:monolith)
    get edit_article_path(article)
    assert_select "input[value=?]", article.title
    patch article_path(article), params: { article: { title: "Changed" } }
    assert_redirected_to article_path(article)
    assert_equal "Changed", article.reload.title
  end

  test "an article is deleted" do
    assert_difference("Article.count", -1) { delete article_path(articles(:monolith)) }
    assert_redirected_to articles_path
  end

  test "what is not there is not found" do
    get article_path(0)
    assert_response :not_found
  end

  test "what a visitor writes is text, not markup" do
    Article.create!(title: "<script>alert(1)</script>", description: "Text")
    get articles_path
    assert_select "main script", 0
  end
end
