namespace ClusterLlm.Prediction.Fitting;

/// <summary>One observation: what each constant is multiplied by, and the measured sum.</summary>
/// <param name="Milliseconds">Measured; &gt; 0.</param>
internal sealed record Observation(IReadOnlyList<(string Name, double Amount)> Terms, double Milliseconds);

/// <summary>What a constant is before any row was seen, and how far rows may pull it.</summary>
/// <param name="Spread">In the constant's unit; small ones need more evidence.</param>
internal readonly record struct Prior(double Mean, double Spread);

/// <summary>
/// Least squares of relative errors with a ridge towards priors, iterated with weights 1 / max(|error|, threshold) so that a few odd rows
/// don't bend the rest: between the mean (small errors) and the median (large ones).
/// </summary>
internal static class RobustRidge
{
    private const int Rounds = 25;
    private const double Threshold = 0.04;
    private const double RidgeWeight = 0.3;

    public static SortedDictionary<string, double> Solve(IReadOnlyList<Observation> observations, Func<string, Prior> priors)
    {
        var names = observations.SelectMany(row => row.Terms).Select(term => term.Name).Distinct().Order(StringComparer.Ordinal).ToArray();
        var index = names.Select((name, position) => (name, position)).ToDictionary(pair => pair.name, pair => pair.position);
        var rows = observations.Select(row => Dense(row, index)).ToArray();
        var targets = observations.Select(row => row.Milliseconds).ToArray();
        var ridge = names.Select(priors).ToArray();
        var weights = Enumerable.Repeat(1.0, rows.Length).ToArray();
        var solution = new double[names.Length];
        for (var round = 0; round < Rounds; round++)
        {
            solution = Step(rows, targets, weights, ridge);
            for (var row = 0; row < rows.Length; row++)
            {
                weights[row] = 1 / Math.Max(Math.Abs((Dot(rows[row], solution) / targets[row]) - 1), Threshold);
            }
        }

        return new SortedDictionary<string, double>(names.Zip(solution).ToDictionary(pair => pair.First, pair => pair.Second), StringComparer.Ordinal);
    }

    private static double[] Dense(Observation row, Dictionary<string, int> index)
    {
        var values = new double[index.Count];
        foreach (var (name, amount) in row.Terms)
        {
            values[index[name]] += amount;
        }

        return values;
    }

    private static double[] Step(double[][] rows, double[] targets, double[] weights, Prior[] ridge)
    {
        var size = ridge.Length;
        var matrix = new double[size, size];
        var right = new double[size];
        for (var row = 0; row < rows.Length; row++)
        {
            var weight = weights[row] / (targets[row] * targets[row]);
            for (var i = 0; i < size; i++)
            {
                right[i] += weight * rows[row][i] * targets[row];
                for (var j = 0; j <= i; j++)
                {
                    matrix[i, j] += weight * rows[row][i] * rows[row][j];
                }
            }
        }

        for (var i = 0; i < size; i++)
        {
            var strength = RidgeWeight / (ridge[i].Spread * ridge[i].Spread);
            matrix[i, i] += strength;
            right[i] += strength * ridge[i].Mean;
        }

        return Cholesky.Solve(matrix, right);
    }

    private static double Dot(double[] left, double[] right) => left.Zip(right).Sum(pair => pair.First * pair.Second);
}
