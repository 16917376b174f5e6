class Article < ApplicationRecord
  validates :title, presence: true, length: { maximum: 200 }
  validates :description, presence: true

  scope :newest_first, -> { order(created_at: :desc, id: :desc) }
end
