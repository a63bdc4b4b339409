"""A history in which an update is lost."""

from __future__ import annotations

LOST = """\
{:index 0, :type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:append 1 1]]}
{:index 1, :type :invoke, :process 1, :f :txn, :value [[:r 1 nil] [:append 1 2]]}
{:index 2, :type :ok, :process 0, :f :txn, :value [[:r 1 []] [:append 1 1]]}
{:index 3, :type :ok, :process 1, :f :txn, :value [[:r 1 []] [:append 1 2]]}
{:index 4, :type :invoke, :process 0, :f :txn, :value [[:r 1 nil]]}
{:index 5, :type :ok, :process 0, :f :txn, :value [[:r 1 [1 2]]]}
"""
