namespace ClusterLlm.Prediction.Fitting;

/// <summary>Solves a symmetric positive definite system; the ridge makes every system here one.</summary>
internal static class Cholesky
{
    /// <param name="matrix">Its lower triangle is read, and overwritten.</param>
    public static double[] Solve(double[,] matrix, double[] right)
    {
        var size = right.Length;
        for (var column = 0; column < size; column++)
        {
            for (var row = column; row < size; row++)
            {
                var sum = matrix[row, column];
                for (var k = 0; k < column; k++)
                {
                    sum -= matrix[row, k] * matrix[column, k];
                }

                matrix[row, column] = row == column ? Math.Sqrt(sum) : sum / matrix[column, column];
            }
        }

        return Backward(matrix, Forward(matrix, right));
    }

    private static double[] Forward(double[,] lower, double[] right)
    {
        var values = (double[])right.Clone();
        for (var row = 0; row < values.Length; row++)
        {
            for (var k = 0; k < row; k++)
            {
                values[row] -= lower[row, k] * values[k];
            }

            values[row] /= lower[row, row];
        }

        return values;
    }

    private static double[] Backward(double[,] lower, double[] values)
    {
        for (var row = values.Length - 1; row >= 0; row--)
        {
            for (var k = row + 1; k < values.Length; k++)
            {
                values[row] -= lower[k, row] * values[k];
            }

            values[row] /= lower[row, row];
        }

        return values;
    }
}
