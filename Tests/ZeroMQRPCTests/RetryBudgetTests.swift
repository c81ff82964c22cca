import Support
import Testing

@testable import ZeroMQRPC

@Suite("the budget of retries", .inTurn(minutes: 3)) struct RetryBudgetTests {
  /// How often something can be spent.
  private func possible(_ budget: RetryBudget) -> Int {
    var (budget, count) = (budget, 0)
    while budget.isEnough {
      budget.spend()
      count += 1
    }
    return count
  }

  @Test("is full at first, and bounded", arguments: [1, 100]) func burst(most: Int) {
    var budget = RetryBudget(percent: 10, burst: most)
    #expect(possible(budget) == most)
    while budget.isEnough { budget.spend() }
    for _ in 0..<20 * most { budget.called() }
    #expect(possible(budget) == most)
  }

  @Test(
    "grows by its share of each call", arguments: [(10, 9, 0), (10, 10, 1), (10, 29, 2), (100, 7, 7), (0, 1_000, 0)])
  func share(percent: Int, calls: Int, expected: Int) {
    var budget = RetryBudget(percent: percent, burst: 50)
    while budget.isEnough { budget.spend() }
    for _ in 0..<calls { budget.called() }
    #expect(possible(budget) == expected)
  }
}
