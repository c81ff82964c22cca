import DequeModule
import Reactor

/// Work in pieces, of which each turn of the loop does some, in the order in which they were added: much of it holds up nothing else.
final class PiecewiseWork: Source {
  private struct Piece {
    let cost: Int
    let work: () -> Void
  }

  private let costPerTurn: Int
  private var pieces: Deque<Piece> = []
  private var watch: Watch?

  /// After pieces of that cost together a turn ends; one piece is always done.
  init(costPerTurn: Int, on loop: Loop) throws(ReactorError) {
    self.costPerTurn = costPerTurn
    watch = try loop.watch(nil, self)
  }

  /// Does the work in a later turn, or in this one if its sources have not had their turns.
  func add(cost: Int, _ work: @escaping () -> Void) {
    pieces.append(Piece(cost: cost, work: work))
    watch?.schedule()
  }

  /// Forgets what is left.
  func cancel() { pieces = [] }

  func turn(_ events: PollEvents) {
    var left = costPerTurn
    while left > 0, let piece = pieces.popFirst() {
      piece.work()
      left -= piece.cost
    }
  }

  func isReady() -> Bool { !pieces.isEmpty }
}
