import Testing

@Suite("The Swift that articles, the README and the page about calls show")
struct ArticleTests {
  @Test("stands in a program or a test, line for line, so that it compiles and runs") func compiled() throws {
    let sources = try Article.sources()
    let articles = try Article.all()
    #expect(articles.count > 10)
    for article in articles {
      for block in article.blocks(of: "swift") {
        let lines = Article.lines(of: block)
        let stands = sources.contains { source in
          source.indices.contains { source[$0...].starts(with: lines) }
        }
        #expect(stands, "\(article.path) shows what stands in no program and no test:\n\(block)")
      }
    }
  }
}
