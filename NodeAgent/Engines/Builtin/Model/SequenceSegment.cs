namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>The rows that a step adds to one sequence.</summary>
/// <param name="Slot">KV cache slot, 0 to max concurrency − 1.</param>
/// <param name="Position">Position of the first row in its sequence; what lies in the slot at or behind it is dropped.</param>
/// <param name="Rows">≥ 1.</param>
internal readonly record struct SequenceSegment(int Slot, int Position, int Rows);
