using ClusterLlm.NodeAgent.Engines.Builtin.Kernels;
using ClusterLlm.NodeAgent.Engines.Builtin.Threading;

namespace ClusterLlm.NodeAgent.Engines.Builtin.Model;

/// <summary>One or several projections of the same activations as one piece of parallel work, split by output rows.</summary>
internal sealed unsafe class MatrixWork(KernelSet kernels, Workspace workspace) : IParallelWork
{
    private const int TileRows = 4;

    /// <summary>Large enough that taking a piece costs nothing, small enough that all workers end together.</summary>
    private const int PiecesPerWorker = 8;

    private readonly List<Job> _jobs = [];
    private float* _x;
    private float* _split;
    private int _stride;
    private int _rows;

    /// <summary>Starts a new product: activations in column order and in the order of 4-bit weights.</summary>
    public MatrixWork For(float* x, float* split, int stride, int rows)
    {
        _jobs.Clear();
        _x = x;
        _split = split;
        _stride = stride;
        _rows = rows;
        return this;
    }

    public MatrixWork Add(Linear linear, float* y, int yStride) => Add(linear.Weights, linear.Bias, y, yStride);

    public MatrixWork Add(WeightMatrix weights, NativeBuffer? bias, float* y, int yStride)
    {
        var firstTile = _jobs.Count == 0 ? 0 : _jobs[^1].EndTile;
        _jobs.Add(new Job(weights, bias, (nint)y, yStride, firstTile, firstTile + ((weights.Rows + TileRows - 1) / TileRows)));
        return this;
    }

    public void Run(ComputePool pool)
    {
        var tiles = _jobs[^1].EndTile;
        pool.Run(this, tiles, Math.Max(1, tiles / (pool.Workers * PiecesPerWorker)));
    }

    public void Execute(int first, int end, int worker)
    {
        foreach (var job in _jobs)
        {
            var from = Math.Max(first, job.FirstTile);
            var to = Math.Min(end, job.EndTile);
            if (from < to)
            {
                Multiply(job, (from - job.FirstTile) * TileRows, Math.Min(job.Weights.Rows, (to - job.FirstTile) * TileRows), worker);
            }
        }
    }

    private void Multiply(Job job, int firstOutput, int endOutput, int worker)
    {
        var x = job.Weights.Format == WeightFormat.Affine4 ? _split : _x;
        var y = (float*)job.Output;
        kernels.Multiply(job.Weights, x, _stride, _rows, y, job.OutputStride, firstOutput, endOutput, workspace.Scratch(worker));
        if (job.Bias is { } bias)
        {
            for (var row = 0; row < _rows; row++)
            {
                kernels.Add(y + ((long)row * job.OutputStride) + firstOutput, bias.Pointer + firstOutput, endOutput - firstOutput);
            }
        }
    }

    private readonly record struct Job(WeightMatrix Weights, NativeBuffer? Bias, nint Output, int OutputStride, int FirstTile, int EndTile);
}
